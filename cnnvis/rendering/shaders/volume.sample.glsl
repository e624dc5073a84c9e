    // One sample of a ray: replaces VTK's, which would look up the value itself.
    if (!g_skip)
      {
      vec4 texel = texture3D(in_volume[0], g_dataPos);
      float at = position(texel.r);
      float present = weight(g_dataPos.z, texel.g);
#ifdef PROJECTION
      if (l_firstValue || l_maxValue.w < at * present)
        {
        l_maxValue = vec4(at * present);
        }
      l_firstValue = false;
#else
      vec4 scalar = vec4(at, 0.0, present, at);
      float opacity = computeOpacity(scalar);
      if (opacity > 0.0)
        {
        g_srcColor = computeColor(scalar, opacity);
        g_srcColor.rgb *= g_srcColor.a;
        g_fragColor = (1.0 - g_fragColor.a) * g_srcColor + g_fragColor;
        }
#endif
      }
