#version 450

layout(set = 0, binding = 0, r32ui) readonly uniform uimageBuffer source;
layout(set = 0, binding = 1) buffer Target { uint word; } target;

void main() {
  target.word = imageLoad(source, 0).r;
}
