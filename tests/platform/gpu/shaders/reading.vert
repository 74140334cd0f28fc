#version 450

layout(set = 0, binding = 0) readonly buffer Source { uint word; } source;

void main() {
  gl_Position = vec4(float(source.word));
}
