#pragma once

#include <cstdint>
#include <span>

#include "tests/board/wayland/wayland_connection.h"

namespace vitrine {

/** A wl_buffer of four bytes a pixel in memory that client and compositor share. */
class ShmBuffer {
public:
  /** `format`: one of wl_shm's, which differ from DRM's only in that ARGB8888 and XRGB8888 are 0 and 1. */
  [[nodiscard]] static Result<ShmBuffer> create(WaylandConnection& connection, Size size, uint32_t strideBytes,
                                                uint32_t format);
  ShmBuffer(ShmBuffer&& other) noexcept;
  ShmBuffer& operator=(ShmBuffer&&) = delete;
  ~ShmBuffer();

  [[nodiscard]] wl_buffer* object() const { return object_.get(); }
  [[nodiscard]] Size size() const { return size_; }
  [[nodiscard]] uint32_t strideBytes() const { return strideBytes_; }
  [[nodiscard]] uint32_t format() const { return format_; } ///< one of wl_shm's
  /** Blue, green, red, alpha of each pixel of XRGB8888 and ARGB8888, row by row. */
  [[nodiscard]] std::span<uint8_t> bytes() const { return bytes_; }

private:
  ShmBuffer() = default;
  Size size_;
  uint32_t strideBytes_ = 0;
  uint32_t format_ = 0;
  std::span<uint8_t> bytes_; ///< mapped
  WaylandPtr<wl_buffer> object_;
};

} // namespace vitrine
