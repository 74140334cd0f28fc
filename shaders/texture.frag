#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_samplerless_texture_functions : require
#include "draw.glsl"

// Texels are fetched and filtered here, not by a sampler: every GPU then gives the same pixels, within rounding, as another
// and as a display controller's plane, and no format needs a linear-filter feature or a YCbCr sampler. One fetch at 1:1.

layout(constant_id = 0) const int planes = 1; // 1: RGB; 2: Y and CbCr; 3: Y, Cb and Cr
layout(set = 0, binding = 0) uniform texture2D plane0;
layout(set = 0, binding = 1) uniform texture2D plane1;
layout(set = 0, binding = 2) uniform texture2D plane2;
layout(location = 0) out vec4 color;

// Chroma is replicated, not interpolated: the sample whose cell holds the pixel, as display planes (and vkms) do at 1:1.
vec4 texel(ivec2 position) {
  ivec2 at = clamp(position, draw.bounds.xy, draw.bounds.zw);
  if (planes == 1) return texelFetch(plane0, at, 0);
  float luma = texelFetch(plane0, at, 0).r;
  ivec2 chromaAt = at / draw.subsampling;
  if (planes == 2) return vec4(luma, texelFetch(plane1, chromaAt, 0).rg, 1.0);
  return vec4(luma, texelFetch(plane1, chromaAt, 0).r, texelFetch(plane2, chromaAt, 0).r, 1.0);
}

vec4 filtered(vec2 position) {
  if (draw.nearest != 0) return texel(ivec2(floor(position)));
  vec2 corner = floor(position - 0.5);
  vec2 part = position - 0.5 - corner;
  ivec2 at = ivec2(corner);
  vec4 above = mix(texel(at), texel(at + ivec2(1, 0)), part.x);
  vec4 below = mix(texel(at + ivec2(0, 1)), texel(at + ivec2(1, 1)), part.x);
  return mix(above, below, part.y);
}

vec3 rgbFromYcc(vec3 ycc) {
  float luma = (ycc.x - draw.color.y) * draw.color.x;
  vec2 chroma = ycc.yz - draw.color.z;
  return vec3(luma + draw.second.x * chroma.y,
              luma + draw.second.y * chroma.x + draw.second.z * chroma.y,
              luma + draw.second.w * chroma.x);
}

void main() {
  vec2 from = gl_FragCoord.xy - draw.origin;
  vec4 value = filtered(vec2(dot(draw.matrix.xy, from), dot(draw.matrix.zw, from)) + draw.translation);
  if (planes != 1) value = vec4(clamp(rgbFromYcc(value.xyz), 0.0, 1.0), 1.0);
  color = value * draw.alpha;
}
