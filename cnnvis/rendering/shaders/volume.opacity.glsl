// What a value looks like: replaces VTK's opacity function, and is told by #define what it is asked for.
// Values are those of the texture; uniforms turn them into positions on the colour map, 0 to 1.

uniform sampler2D in_opacityTransferFunc_0[1]; // the opacity curve, without any correction

float stretched(float value)
{
#if defined(LOG)
  return sign(value) * log(1.0 + 1000.0 * abs(value));
#elif defined(CBRT)
  return sign(value) * pow(abs(value), 1.0 / 3.0);
#else
  return value;
#endif
}

float position(float value)
{
#ifdef MAGNITUDE
  value = abs(value - centre);
#endif
  return clamp((stretched((clamp(value, low, high) - zero) * unit) - bottom) * gain, 0.0, 1.0);
}

#ifdef DRIVEN
// The table has 16 numbers to a matrix, which any driver packs, and begins and ends with a factor more.
float factor_at(int entry)
{
  return factors[entry >> 4][(entry >> 2) & 3][entry & 3];
}
#endif

// The factor of the channels at a place of the texture, times the share of voxels there that are not missing.
float weight(float depth, float present)
{
#ifndef MISSING
  present = 1.0;
#endif
#ifdef DRIVEN
  float place = depth * channels;
#ifdef NEAREST
  present *= factor_at(1 + int(place));
#else
  int entry = int(place + 0.5);
  present *= mix(factor_at(entry), factor_at(entry + 1), place + 0.5 - float(entry));
#endif
#endif
  return present;
}

#ifdef PROJECTION
vec3 first; // place of the first sample of a ray
float sampled; // number of its samples so far
vec2 peak; // the largest of them, and how many came before it

// What a maximum projection compares.
float projected(vec3 place)
{
  vec4 texel = texture3D(in_volume[0], place);
  return position(texel.r) * weight(place.z, texel.g);
}
#endif

// `scalar` is (position, any, weight, position). The curve holds the opacity over one unit of depth; on a step of
// another length it absorbs as Beer and Lambert say.
float computeOpacity(vec4 scalar)
{
  float along = scalar.w;
#ifdef CENTRED
  along = abs(2.0 * along - 1.0);
#endif
  float points = float(textureSize(in_opacityTransferFunc_0[0], 0).x); // they stand in the middles of their texels
  along = (along * (points - 1.0) + 0.5) / points;
  float curve = texture2D(in_opacityTransferFunc_0[0], vec2(along, 0.0)).r;
#ifdef PROJECTION
  return curve;
#else
  return 1.0 - pow(1.0 - curve * scalar.z, in_sampleDistance * absorption);
#endif
}
