#pragma once

#include <vector>

#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/heap/heap_allocator.h"
#include "protected-path/tee/tee_session.h"

namespace vitrine::test {

/** The buffers of scenes. All are squares. Only the protected ones contain the secret in the clear. */
struct LeakBuffers {
  static constexpr unsigned perKind = 3;
  static constexpr int extent = 64; ///< in pixels

  std::vector<Dmabuf> protectedContent; ///< XRGB8888, ARGB8888 and NV12, filled by the secure world
  std::vector<Dmabuf> ordinary;         ///< ARGB8888 in red and blue; mappable

  [[nodiscard]] static Result<LeakBuffers> create(const TeeDevice& tee, const std::vector<Heap>& heaps,
                                                  const HeapTable& table);
};

/** Allocates from the protected heaps until they have no page left. Returns the buffers that fill them. */
[[nodiscard]] std::vector<UniqueFd> exhaustProtected(const std::vector<Heap>& heaps);

} // namespace vitrine::test
