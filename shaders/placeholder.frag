#version 450
#extension GL_GOOGLE_include_directive : require
#include "draw.glsl"

layout(constant_id = 0) const int stripeWidth = 16;
layout(location = 0) out vec4 color;

// The stripes are fixed to the target's pixels, so that neighbouring placeholders join and a test knows every pixel.
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  bool stripe = (((at.x + at.y) / stripeWidth) & 1) != 0;
  color = (stripe ? draw.second : draw.color) * draw.alpha;
}
