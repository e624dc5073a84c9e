//VTK::System::Dec

// Makes one flat figure, turned towards the viewer, of each piece of a line and of each unit.

layout(lines) in;
layout(triangle_strip, max_vertices = 4) out;

in vec3 bundledGS[];
in vec3 straightGS[];
in vec3 tangentGS[];
in vec4 toneGS[];  // importance, strength by which lines are hidden, share of the shown class, number of the look
in vec4 mixedGS[];  // colours of all classes, mixed by their shares; stance
in float grainGS[];  // other in each line, 0 to 1

out vec2 at;  // across and along the figure, 1 at its rim
out vec4 colour;  // with opacity where it is seen through the middle, before `base`
out float cover;  // what all opacity is multiplied by
out vec3 lit;  // light that a surface gets which faces across the figure, along it, and the viewer
flat out vec2 reach;  // pixels from the middle to the rim
flat out float exponent;
flat out float base;
flat out float light;  // share of the brightness that comes from it
flat out float grain;
flat out int figure;

uniform mat4 MCVCMatrix;
uniform mat4 MCDCMatrix;
uniform int cameraParallel;
//VTK::CustomUniforms::Dec
// looks[]: LOOK numbers for each item, in the order of these names; box[]: middle and half sides of all that is drawn;
// pane: its height in pixels; paper: colour of the background

const int MODE = 0, SIZE = 1, OPACITY = 2, BASE = 3, IMPORTANCE = 4, DEPTH = 5, EXPONENT = 6, THRESHOLD = 7, BLEND = 8;
const int CLASSES = 9, RED = 10, LIGHT = 13, LIGHT_X = 14, LIGHT_Y = 15, LOOK = 16;
const int LINES = 0, TUBES = 1, ELLIPSOIDS = 2, BALLS = 3, DISCS = 4;
const int NO_CLASS = 0, ONE_CLASS = 1, ALL_CLASSES = 2;
const int HIDDEN = 0, FADED = 1, PLAIN = 2, CHOSEN = 3, MARKED = 4;  // stances

const float LINE = 0.1;  // radius of all lines of mode LINES, in sizes
const float DISC = 0.25;  // the same of DISCS
const float THINNEST = 0.75;  // pixels; what is thinner is drawn as wide, and fainter
const float SEEN = 0.002;  // half a step of a screen's colours
const float FAINT = 0.03;  // opacity below which only some lines are drawn, as faint as this, so that the mean is right
const float CONTEXT = 0.2;  // share of its colour that something keeps while others are selected
const float FAINTER = 0.35;  // and of its opacity
const float MARKED_LINE = 1.5, MARKED_UNIT = 4.0;  // pixels; radius that something marked has at least

int first;
int stance;
vec3 places[2];
vec4 shown[2];
float covers[2];
float radii[2];  // pixels

float look(int name) { return looks[first + name]; }

float nearness(vec3 place)
{
  vec3 towards = vec3(MCVCMatrix[0].z, MCVCMatrix[1].z, MCVCMatrix[2].z);
  float before = dot(towards, place - vec3(box[0], box[1], box[2]));
  float half_depth = dot(abs(towards), vec3(box[3], box[4], box[5]));
  return clamp(0.5 + 0.5 * before / max(half_depth, 1e-20), 0.0, 1.0);
}

vec4 colour_of(int end, vec3 place)
{
  vec4 tone = toneGS[end];
  float opacity = max(1.0 - look(IMPORTANCE) + look(IMPORTANCE) * tone.x, 0.0);
  opacity *= look(CLASSES) == float(ONE_CLASS) ? tone.z : 1.0;
  opacity *= 1.0 - look(DEPTH) + look(DEPTH) * nearness(place);
  opacity = stance == MARKED ? 1.0 : stance == CHOSEN ? sqrt(opacity) : opacity;
  vec3 one = vec3(look(RED), look(RED + 1), look(RED + 2));
  vec3 ink = look(CLASSES) == float(ALL_CLASSES) ? mixedGS[end].rgb : one;
  return vec4(stance == FADED ? mix(paper, ink, CONTEXT) : ink, opacity);
}

float radius_of(int end)
{
  return look(SIZE) * (figure == LINES ? LINE : figure == DISCS ? DISC : toneGS[end].x);
}

// What falls on a figure with sides in these directions of the view, each of length 1.
vec3 light_on(vec3 side, vec3 onwards)
{
  vec2 from = vec2(look(LIGHT_X), look(LIGHT_Y));
  return vec3(dot(side.xy, from), dot(onwards.xy, from), sqrt(max(1.0 - dot(from, from), 0.0)));
}

void corner(vec3 place, vec3 offset, vec2 where, vec4 shown, float covered, vec3 falling)
{
  at = where;
  lit = falling;
  colour = shown;
  cover = covered;
  // a camera turns and moves, but does not stretch: its matrix transposed is its inverse
  gl_Position = MCDCMatrix * vec4(place + transpose(mat3(MCVCMatrix)) * offset, 1.0);
  EmitVertex();
}

vec3 sight_to(vec3 place)
{
  return cameraParallel != 0 ? vec3(0.0, 0.0, -1.0) : normalize((MCVCMatrix * vec4(place, 1.0)).xyz);
}

// Returns the direction across a line that is seen in full; of a line towards the viewer, any across the sight.
vec3 side_of(vec3 along, vec3 sight)
{
  vec3 side = cross(along, sight);
  float length_of_side = length(side);
  return length_of_side > 1e-12 ? side / length_of_side : normalize(cross(sight, vec3(0.0, 1.0, 1e-3)));
}

float pixels_at(vec3 place)
{
  vec3 up = transpose(mat3(MCVCMatrix)) * vec3(0.0, 1.0, 0.0);
  float scale = (MCDCMatrix * vec4(up, 0.0)).y;
  return 0.5 * pane * scale / max((MCDCMatrix * vec4(place, 1.0)).w, 1e-20);
}

// A piece of a line between the ends of its neighbours.
void ribbon(float pixels)
{
  reach = vec2(0.5 * (radii[0] + radii[1]));
  for (int end = 0; end < 2; ++end)
  {
    vec3 along = mix(straightGS[1] - straightGS[0], tangentGS[end], look(BLEND));
    vec3 side = side_of(mat3(MCVCMatrix) * along, sight_to(places[end]));
    vec3 falling = light_on(side, vec3(0.0));
    side *= radii[end] / pixels;
    corner(places[end], -side, vec2(-1.0, 0.0), shown[end], covers[end], falling);
    corner(places[end], side, vec2(1.0, 0.0), shown[end], covers[end], falling);
  }
}

// A ball or disc in the middle of a piece, or an ellipsoid along it.
void ellipse(float pixels)
{
  vec3 middle = 0.5 * (places[0] + places[1]);
  vec3 along = mat3(MCVCMatrix) * (places[1] - places[0]);
  vec3 sight = sight_to(middle);
  vec3 side = side_of(along, sight);
  vec3 onwards = cross(sight, side);
  float radius = 0.5 * (radii[0] + radii[1]);
  float longest = radius;
  float piece = length(along);
  if (figure == ELLIPSOIDS && piece > 0.0)
  {
    // as long as nn_vis's splats; and how long such a body looks from where it is seen
    float importance = 0.5 * (toneGS[0].x + toneGS[1].x);
    float half_length = 0.5 * piece * (1.0 + 1.5 * importance) * pixels + radius;
    float end_on = dot(along / piece, sight);
    longest = sqrt(mix(half_length * half_length, radius * radius, end_on * end_on));
  }
  reach = vec2(radius, longest);
  vec3 falling = light_on(side, onwards);
  side *= radius / pixels;
  onwards *= longest / pixels;
  vec4 mean = 0.5 * (shown[0] + shown[1]);
  float covered = 0.5 * (covers[0] + covers[1]);
  corner(middle, -side - onwards, vec2(-1.0, -1.0), mean, covered, falling);
  corner(middle, side - onwards, vec2(1.0, -1.0), mean, covered, falling);
  corner(middle, onwards - side, vec2(-1.0, 1.0), mean, covered, falling);
  corner(middle, side + onwards, vec2(1.0, 1.0), mean, covered, falling);
}

// Whether the piece is drawn: of lines that are too faint for a screen's colours, so many that they make as much
// together as all of them would, which takes a fraction of the time.
bool kept()
{
  vec2 most = vec2(shown[0].a, shown[1].a) * (1.0 - base) + base;
  float opacity = max(most.x * covers[0], most.y * covers[1]);
  if (opacity >= FAINT) { return true; }
  float share = opacity / FAINT;
  covers[0] /= share;
  covers[1] /= share;
  return grain < share;
}

void main()
{
  first = LOOK * int(toneGS[0].w + 0.5);
  stance = int(mixedGS[0].a + 0.5);
  if (stance == HIDDEN || (toneGS[0].y < look(THRESHOLD) && stance != MARKED)) { return; }
  figure = int(look(MODE) + 0.5);
  exponent = look(EXPONENT);
  base = look(BASE);
  light = look(LIGHT);
  grain = grainGS[0];
  for (int end = 0; end < 2; ++end)
  {
    places[end] = mix(straightGS[end], bundledGS[end], look(BLEND));
    shown[end] = colour_of(end, places[end]);
  }
  if (max(shown[0].a, shown[1].a) * (1.0 - base) + base < SEEN) { return; }
  float pixels = pixels_at(0.5 * (places[0] + places[1]));
  for (int end = 0; end < 2; ++end)
  {
    float radius = radius_of(end) * pixels;
    if (stance == MARKED) { radius = max(radius, straightGS[0] == straightGS[1] ? MARKED_UNIT : MARKED_LINE); }
    covers[end] = min(radius / THINNEST, 1.0) * look(OPACITY) * (stance == FADED ? FAINTER : 1.0);
    radii[end] = max(radius, THINNEST) + 0.5;  // half a pixel for a soft rim
  }
  if (straightGS[0] != straightGS[1] && !kept()) { return; }
  if (figure == LINES || figure == TUBES) { ribbon(pixels); }
  else { ellipse(pixels); }
  EndPrimitive();
}
