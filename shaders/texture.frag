#version 450
#extension GL_GOOGLE_include_directive : require
#include "draw.glsl"
#include "filter.glsl"

layout(constant_id = 0) const int planes = 1; // 1: RGB; 2: Y and CbCr; 3: Y, Cb and Cr
layout(set = 0, binding = 0) uniform sampler2D plane0;
layout(set = 0, binding = 1) uniform sampler2D plane1;
layout(set = 0, binding = 2) uniform sampler2D plane2;
layout(location = 0) out vec4 color;

// Filters by hand if the format or its modifier has no linear filter. The sampler's result differs by rounding only.
vec4 filtered(sampler2D image, vec2 position, ivec4 bounds) {
  vec2 at = inside(position, bounds);
  if ((draw.flags & flagSampler) != 0) return textureLod(image, at / vec2(textureSize(image, 0)), 0.0);
  ivec2 first = ivec2(floor(at - 0.5));
  ivec2 second = min(first + 1, bounds.zw);
  vec2 part = at - 0.5 - vec2(first);
  vec4 above = mix(texelFetch(image, first, 0), texelFetch(image, ivec2(second.x, first.y), 0), part.x);
  vec4 below = mix(texelFetch(image, ivec2(first.x, second.y), 0), texelFetch(image, second, 0), part.x);
  return mix(above, below, part.y);
}

vec4 first(vec2 position) {
  if ((draw.flags & flagNearest) == 0) return filtered(plane0, position, draw.bounds);
  return texelFetch(plane0, clamp(ivec2(position), draw.bounds.xy, draw.bounds.zw), 0);
}

void main() {
  vec2 position = sourcePosition();
  vec4 value = first(position);
  if (planes != 1) {
    vec2 at = chromaPosition(position);
    ivec4 bounds = chromaBounds();
    vec2 chroma = filtered(plane1, at, bounds).rg;
    if (planes == 3) chroma.g = filtered(plane2, at, bounds).r;
    value = vec4(clamp(rgbFromYcc(vec3(value.r, chroma)), 0.0, 1.0), 1.0);
  }
  color = value * draw.alpha;
}
