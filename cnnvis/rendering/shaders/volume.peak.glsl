#ifdef PROJECTION
  // The largest sample of a ray stands beside a peak: go on to it, by steps half as long each time.
#ifndef NEAREST
  for (float step = 0.5; step > 0.1 && peak.x < 1.0; step *= 0.5)
    {
    float middle = peak.y;
    for (float side = -1.0; side < 2.0; side += 2.0)
      {
      float at = clamp(middle + side * step, -1.0, sampled - 1.0);
      float beside = projected(first + at * g_dirStep);
      if (beside > peak.x) { peak = vec2(beside, at); }
      }
    }
#endif
  l_maxValue = vec4(peak.x);
#endif
  //VTK::Shading::Exit
