#version 450

layout(set = 0, binding = 0) readonly buffer Source { uint word; } source;
layout(set = 0, binding = 1, r32ui) writeonly uniform uimageBuffer target;

void main() {
  imageStore(target, 0, uvec4(source.word));
}
