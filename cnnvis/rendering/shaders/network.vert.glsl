//VTK::System::Dec

// Points of lines and units, handed on as they are: what they become is settled piece by piece, in the next stage.

in vec4 vertexMC;
in vec3 straight;
in vec3 tangent;
in vec4 tone;
in vec4 mixed;
in float grain;

out vec3 bundledGS;
out vec3 straightGS;
out vec3 tangentGS;
out vec4 toneGS;
out vec4 mixedGS;
out float grainGS;

void main()
{
  bundledGS = vertexMC.xyz;
  straightGS = straight;
  tangentGS = tangent;
  toneGS = tone;
  mixedGS = vec4(mixed.rgb / 255.0, mixed.a);
  grainGS = grain;
  gl_Position = vec4(0.0);
}
