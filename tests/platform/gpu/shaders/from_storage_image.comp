#version 450

layout(set = 0, binding = 0, rgba8) readonly uniform image2D source;
layout(set = 0, binding = 1) buffer Target { uint word; } target;

void main() {
  target.word = uint(imageLoad(source, ivec2(0)).r);
}
