#version 450
#extension GL_GOOGLE_include_directive : require
#include "draw.glsl"
#include "filter.glsl"

// Samples a multi-planar image through a VkSamplerYcbcrConversion that changes nothing (ycc_sampler.h in
// protected-path/render/vulkan): red is Cr, green is Y, blue is Cb. Such a sampler does not allow texelFetch. Luma and
// chroma are sampled each at its own place. Most drivers sample planes separately, so the halves that are not used cost
// nothing.

layout(set = 0, binding = 0) uniform sampler2D image;
layout(location = 0) out vec4 color;

vec3 ycc(vec2 position) { return textureLod(image, position * draw.texel, 0.0).gbr; }

float luma(ivec2 at) { return ycc(vec2(at) + 0.5).x; }

// Without a linear filter, chroma is sampled at the first pixel of its cell, where every driver returns that cell's
// sample for every chroma location.
vec2 chroma(ivec2 cell) { return ycc(vec2(cell * draw.subsampling) + 0.5).yz; }

float filteredLuma(vec2 position) {
  vec2 at = inside(position, draw.bounds);
  if ((draw.flags & (flagSampler | flagNearest)) != 0) return ycc(at).x;
  ivec2 first = ivec2(floor(at - 0.5));
  ivec2 second = min(first + 1, draw.bounds.zw);
  vec2 part = at - 0.5 - vec2(first);
  return mix(mix(luma(first), luma(ivec2(second.x, first.y)), part.x),
             mix(luma(ivec2(first.x, second.y)), luma(second), part.x), part.y);
}

vec2 filteredChroma(vec2 position) {
  ivec4 bounds = chromaBounds();
  vec2 at = inside(chromaPosition(position), bounds);
  // The sampler adds its own shift.
  if ((draw.flags & flagSampler) != 0) return ycc((at - draw.converted) * vec2(draw.subsampling)).yz;
  ivec2 first = ivec2(floor(at - 0.5));
  ivec2 second = min(first + 1, bounds.zw);
  vec2 part = at - 0.5 - vec2(first);
  return mix(mix(chroma(first), chroma(ivec2(second.x, first.y)), part.x),
             mix(chroma(ivec2(first.x, second.y)), chroma(second), part.x), part.y);
}

void main() {
  vec2 position = sourcePosition();
  color = vec4(clamp(rgbFromYcc(vec3(filteredLuma(position), filteredChroma(position))), 0.0, 1.0), 1.0) * draw.alpha;
}
