// Filtering for all shaders that sample textures. Each shader defines texel(): the texel at a whole position of the
// source, clamped to draw.bounds. For YCbCr formats it is Y, Cb, Cr unconverted, with chroma replicated over its cell.
vec4 texel(ivec2 position);

vec4 filtered(vec2 position) {
  if (draw.nearest != 0) return texel(ivec2(floor(position)));
  vec2 corner = floor(position - 0.5);
  vec2 part = position - 0.5 - corner;
  ivec2 at = ivec2(corner);
  vec4 above = mix(texel(at), texel(at + ivec2(1, 0)), part.x);
  vec4 below = mix(texel(at + ivec2(0, 1)), texel(at + ivec2(1, 1)), part.x);
  return mix(above, below, part.y);
}

vec3 rgbFromYcc(vec3 ycc) {
  float luma = (ycc.x - draw.color.y) * draw.color.x;
  vec2 chroma = ycc.yz - draw.color.z;
  return vec3(luma + draw.second.x * chroma.y,
              luma + draw.second.y * chroma.x + draw.second.z * chroma.y,
              luma + draw.second.w * chroma.x);
}

vec4 sampled() {
  vec2 from = gl_FragCoord.xy - draw.origin;
  return filtered(vec2(dot(draw.matrix.xy, from), dot(draw.matrix.zw, from)) + draw.translation);
}
