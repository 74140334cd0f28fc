#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_samplerless_texture_functions : require
#include "draw.glsl"
#include "filter.glsl"

// Texels are fetched and filtered here, not by a sampler. So every GPU and every display plane gives the same pixels up
// to rounding, and no format needs a linear-filter feature or a YCbCr sampler. At 1:1 it is one fetch per pixel.

layout(constant_id = 0) const int planes = 1; // 1: RGB; 2: Y and CbCr; 3: Y, Cb and Cr
layout(set = 0, binding = 0) uniform texture2D plane0;
layout(set = 0, binding = 1) uniform texture2D plane1;
layout(set = 0, binding = 2) uniform texture2D plane2;
layout(location = 0) out vec4 color;

// Chroma is replicated, not interpolated: a pixel takes the sample of its cell. vkms's planes do the same at 1:1.
vec4 texel(ivec2 position) {
  ivec2 at = clamp(position, draw.bounds.xy, draw.bounds.zw);
  if (planes == 1) return texelFetch(plane0, at, 0);
  float luma = texelFetch(plane0, at, 0).r;
  ivec2 chromaAt = at / draw.subsampling;
  if (planes == 2) return vec4(luma, texelFetch(plane1, chromaAt, 0).rg, 1.0);
  return vec4(luma, texelFetch(plane1, chromaAt, 0).r, texelFetch(plane2, chromaAt, 0).r, 1.0);
}

void main() {
  vec4 value = sampled();
  if (planes != 1) value = vec4(clamp(rgbFromYcc(value.xyz), 0.0, 1.0), 1.0);
  color = value * draw.alpha;
}
