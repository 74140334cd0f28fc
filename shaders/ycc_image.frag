#version 450
#extension GL_GOOGLE_include_directive : require
#include "draw.glsl"
#include "filter.glsl"

// A multi-planar image through a VkSamplerYcbcrConversion that converts nothing (protected-path/render/vulkan/ycc_sampler.h): red is Cr,
// green is Y, blue is Cb. texelFetch is not allowed with one, so texels are sampled at their centres, with nearest filtering.

layout(set = 0, binding = 0) uniform sampler2D image;
layout(location = 0) out vec4 color;

vec3 ycc(ivec2 at) { return textureLod(image, (vec2(at) + 0.5) * draw.texel, 0.0).gbr; }

// Chroma is taken at the first pixel of its cell: whatever the driver makes of the chroma's location, there it is the cell's.
// Where a driver samples planes apart, as most do, the halves that go unused cost nothing.
vec4 texel(ivec2 position) {
  ivec2 at = clamp(position, draw.bounds.xy, draw.bounds.zw);
  return vec4(ycc(at).x, ycc(at / draw.subsampling * draw.subsampling).yz, 1.0);
}

void main() { color = vec4(clamp(rgbFromYcc(sampled().xyz), 0.0, 1.0), 1.0) * draw.alpha; }
