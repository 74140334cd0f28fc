#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "protected-path/base/format.h"
#include "protected-path/base/refusal.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {

/**
 * How well it is known that a buffer is protected. Ordered: stronger is greater. A name nominates, behaviour proves.
 *
 * Any evidence keeps a buffer from the CPU and from public views. Only proof (isProven()) makes it a place for
 * protected content: a heap to allocate from, a target of decryption, a protected output buffer.
 */
enum class Evidence : uint8_t {
  None,            ///< nothing says that it is protected
  Claimed,         ///< the client says so (weston_restricted_buffer_v1): tightens, never loosens
  Suspect,         ///< the heap table nominates its exporter's name, but the buffer can be mapped
  Unmappable,      ///< the exporter refuses a mapping
  KernelProtected, ///< the exporter is mainline's TEE heap (`exp_name: tee`) and it refuses a mapping
};

[[nodiscard]] const char* evidenceName(Evidence evidence);

/** Whether the buffer's behaviour shows that the CPU cannot read it. */
[[nodiscard]] constexpr bool isProven(Evidence evidence) {
  return evidence >= Evidence::Unmappable;
}

/** One memory plane of a dma-buf. */
struct DmabufPlane {
  UniqueFd fd; ///< owned; several planes may hold duplicates of one dma-buf
  uint32_t offsetBytes = 0;
  uint32_t strideBytes = 0;
};

/** What somebody says a dma-buf is, unchecked: what came over the wire, or what an allocator intends. */
struct DmabufAttributes {
  Size size;
  uint32_t fourcc = 0;
  uint64_t modifier = 0; ///< DRM_FORMAT_MOD_*; INVALID means implicit
  unsigned planeCount = 0;
  std::array<DmabufPlane, 4> planes;
};

/**
 * A dma-buf whose layout has been checked against its size, with its evidence.
 *
 * Immutable once made, but for evidence, which can only be raised. Owns its fds (move-only).
 */
class Dmabuf {
public:
  /** Largest width or height taken: what any display controller or GPU of today can address. */
  static constexpr uint32_t maximumExtent = 16384;

  /**
   * Checks and takes.
   *
   * Errors, all ErrorKind::Refused, naming the plane: NotADmabuf, SizeInvalid, FormatUnknown, PlaneCountWrong,
   * StrideTooSmall, LayoutOutOfBounds. Non-linear modifiers: only fds, plane count's lower bound and offsets are
   * checked, since their layouts are the driver's.
   */
  [[nodiscard]] static Result<Dmabuf> create(DmabufAttributes attributes);

  [[nodiscard]] Size size() const { return attributes_.size; }
  [[nodiscard]] const FormatInfo& format() const { return *format_; }
  [[nodiscard]] uint32_t fourcc() const { return attributes_.fourcc; }
  [[nodiscard]] uint64_t modifier() const { return attributes_.modifier; }
  [[nodiscard]] unsigned planeCount() const { return attributes_.planeCount; }
  [[nodiscard]] const DmabufPlane& plane(unsigned index) const { return attributes_.planes[index]; }
  /** Whether two planes lie in one dma-buf, by its inode. */
  [[nodiscard]] bool planesShareBuffer(unsigned a, unsigned b) const;
  /** Size in bytes of plane 0's dma-buf, by lseek(SEEK_END). */
  [[nodiscard]] uint64_t sizeBytes() const { return sizeBytes_; }

  [[nodiscard]] Evidence evidence() const { return evidence_; }
  /** Raises the evidence; a lower one changes nothing. */
  void raiseEvidence(Evidence evidence);
  /** No code of ours may map it for the CPU or ask for a mapping: any evidence sets this. */
  [[nodiscard]] bool noMap() const { return evidence_ != Evidence::None; }

  /** The same buffer again, on duplicates of the fds. */
  [[nodiscard]] Result<Dmabuf> duplicate() const;
  /** `1280x720 NV12 LINEAR, KernelProtected` for logs and errors. */
  [[nodiscard]] std::string describe() const;

private:
  Dmabuf(DmabufAttributes attributes, const FormatInfo& format, uint64_t sizeBytes);
  DmabufAttributes attributes_;
  const FormatInfo* format_;
  uint64_t sizeBytes_;
  Evidence evidence_ = Evidence::None;
};

} // namespace vitrine
