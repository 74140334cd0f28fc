// The constants of one draw, and the position of a fragment in the source. Layout: DrawConstants in
// protected-path/render/vulkan/draw_constants.h.
layout(push_constant) uniform Draw {
  vec4 color;       // solid: premultiplied; placeholder: base; YCbCr: luma scale, luma offset, chroma offset, 0
  vec4 second;      // placeholder: stripe; YCbCr: Cr to red, Cb to green, Cr to green, Cb to blue
  vec4 matrix;      // destination pixels to texels, row by row
  vec2 origin;      // top-left corner of the destination in the target
  vec2 translation; // texel position of that corner
  ivec4 bounds;     // first and last texel that may be read (x, y; x, y)
  ivec2 subsampling;
  float alpha;
  int nearest;
  vec2 texel; // size of one texel of a multi-planar image, in normalised coordinates
} draw;
