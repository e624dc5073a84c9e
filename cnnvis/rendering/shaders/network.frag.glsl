//VTK::System::Dec
//VTK::Output::Dec

// Opacity and shade of a figure: full where its surface faces the viewer, soft at the rim.

in vec2 at;
in vec4 colour;
in float cover;
in vec3 lit;
flat in vec2 reach;
flat in float exponent;
flat in float base;
flat in float light;
flat in float grain;
flat in int figure;
//VTK::DepthPeeling::Dec

const int LINES = 0, TUBES = 1, DISCS = 4;
const float FAINT = 0.03;  // opacity below which a screen's 256 steps round the parts of a colour to another hue
const float ROUND = 3.0;  // pixels of radius from which a figure looks round

void main()
{
  // Where VTK peels layers it reads gl_FragDepth, which this sets:
  //VTK::Depth::Impl
  //VTK::DepthPeeling::PreColor
  float from_middle = figure == LINES || figure == TUBES ? abs(at.x) : length(at);
  if (from_middle >= 1.0) { discard; }
  float facing = sqrt(1.0 - from_middle * from_middle);
  bool is_flat = figure == LINES || figure == DISCS;
  float is_round = is_flat ? 0.0 : clamp((reach.x - 1.0) / (ROUND - 1.0), 0.0, 1.0);
  float opacity = colour.a * mix(1.0, pow(facing, exponent), is_round) * (1.0 - base) + base;
  float rim = clamp((1.0 - from_middle) * reach.x, 0.0, 1.0);
  opacity = min(opacity, 1.0) * cover * rim;
  if (opacity < FAINT)  // instead some pixels are drawn, so that the mean is right
  {
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))) + grain);
    if (noise * FAINT >= opacity) { discard; }
    opacity = FAINT;
  }
  float brightness = 1.0 - light + light * max(dot(vec3(at, facing), lit), 0.0);
  gl_FragData[0] = vec4(colour.rgb * mix(1.0, brightness, is_round), opacity);
  //VTK::DepthPeeling::Impl
}
