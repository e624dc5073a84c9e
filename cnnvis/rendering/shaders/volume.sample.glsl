    // One sample of a ray: replaces VTK's, which would look up the value itself.
    if (!g_skip)
      {
#ifdef PROJECTION
      if (l_firstValue)
        {
        first = g_dataPos;
        sampled = 0.0;
        peak = vec2(projected(first - g_dirStep), -1.0); // VTK begins a step inside
        l_firstValue = false;
        }
      float found = projected(g_dataPos);
      if (found > peak.x) { peak = vec2(found, sampled); }
      ++sampled;
      if (peak.x >= 1.0) { break; } // nothing is larger
#else
      vec4 texel = texture3D(in_volume[0], g_dataPos);
      float at = position(texel.r);
      float present = weight(g_dataPos.z, texel.g);
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
