#version 450

layout(set = 0, binding = 0) uniform texture2D source;
layout(set = 0, binding = 1) buffer Target { uint word; } target;
layout(set = 0, binding = 2) uniform sampler nearest;

void main() {
  target.word = uint(textureLod(sampler2D(source, nearest), vec2(0), 0).r);
}
