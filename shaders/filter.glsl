// Positions and colours for all shaders that sample textures.

// Where the fragment is in the source, in texels.
vec2 sourcePosition() {
  vec2 from = gl_FragCoord.xy - draw.origin;
  vec2 position = vec2(dot(draw.matrix.xy, from), dot(draw.matrix.zw, from)) + draw.translation;
  return (draw.flags & flagNearest) != 0 ? floor(position) + 0.5 : position;
}

// The cells of the chroma planes that may be read.
ivec4 chromaBounds() { return ivec4(draw.bounds.xy / draw.subsampling, draw.bounds.zw / draw.subsampling); }

// Position in a chroma plane. Chroma is interpolated between the places where its samples were taken.
vec2 chromaPosition(vec2 position) { return position / vec2(draw.subsampling) + draw.siting; }

// The position at which a linear filter reads no texel outside.
vec2 inside(vec2 position, ivec4 bounds) {
  return clamp(position, vec2(bounds.xy) + 0.5, vec2(bounds.zw) + 0.5);
}

vec3 rgbFromYcc(vec3 ycc) {
  float luma = (ycc.x - draw.color.y) * draw.color.x;
  vec2 chroma = ycc.yz - draw.color.z;
  return vec3(luma + draw.second.x * chroma.y,
              luma + draw.second.y * chroma.x + draw.second.z * chroma.y,
              luma + draw.second.w * chroma.x);
}
