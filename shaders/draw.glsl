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
  int flags;
  vec2 texel;     // size of one texel of a multi-planar image, in normalised coordinates
  vec2 siting;    // from a luma position / subsampling to the position in the chroma plane, in chroma texels
  vec2 converted; // the same shift as the sampler of a multi-planar image makes it
} draw;

// Bits of draw.flags.
const int flagNearest = 1; // each pixel is one texel
const int flagSampler = 2; // the image's sampler filters linearly
