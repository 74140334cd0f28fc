#version 450
#extension GL_GOOGLE_include_directive : require
#include "draw.glsl"
#include "filter.glsl"

// Samples a multi-planar image through a VkSamplerYcbcrConversion that changes nothing (ycc_sampler.h in
// protected-path/render/vulkan): red is Cr, green is Y, blue is Cb. Such a sampler does not allow texelFetch, so texels
// are sampled at their centres, with nearest filtering.

layout(set = 0, binding = 0) uniform sampler2D image;
layout(location = 0) out vec4 color;

vec3 ycc(ivec2 at) { return textureLod(image, (vec2(at) + 0.5) * draw.texel, 0.0).gbr; }

// Chroma is sampled at the first pixel of its cell, where every driver returns that cell's sample for every chroma
// location. Most drivers sample planes separately, so the halves that are not used cost nothing.
vec4 texel(ivec2 position) {
  ivec2 at = clamp(position, draw.bounds.xy, draw.bounds.zw);
  return vec4(ycc(at).x, ycc(at / draw.subsampling * draw.subsampling).yz, 1.0);
}

void main() { color = vec4(clamp(rgbFromYcc(sampled().xyz), 0.0, 1.0), 1.0) * draw.alpha; }
