#version 450

layout(set = 0, binding = 0) uniform Source { uint word; } source;
layout(set = 0, binding = 1) buffer Target { uint word; } target;

void main() {
  target.word = source.word;
}
