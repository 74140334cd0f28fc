#version 450

layout(set = 0, binding = 0) buffer Target { uint word; } target;

void main() {
  target.word = 1;
  gl_Position = vec4(0);
}
