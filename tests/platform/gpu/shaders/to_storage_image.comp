#version 450

layout(set = 0, binding = 0) readonly buffer Source { uint word; } source;
layout(set = 0, binding = 1, rgba8) writeonly uniform image2D target;

void main() {
  imageStore(target, ivec2(0), vec4(source.word));
}
