#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protected-path/base/format.h"
#include "protected-path/base/refusal.h"

namespace vitrine {

class Dmabuf;

/** What one consumer asks of every buffer: a display plane, a GPU, an application in the TEE, a decoder. */
struct ConsumerFacts {
  /** What content it takes. */
  enum class Content : uint8_t { Any, ProtectedOnly, OrdinaryOnly };

  /** Who it is, with driver and node: what a heap's buffers were to it is kept under this name. */
  std::string name; ///< `plane 42 of /dev/dri/card0 (vkms)`
  Content content = Content::Any;
  std::vector<FormatModifier> formats; ///< what it takes; empty: anything, or not known
  uint32_t strideAlignmentBytes = 1;
  uint32_t rowMultiple = 1;         ///< it touches rows up to a multiple of this
  uint32_t planeAlignmentBytes = 1; ///< of the offset of every colour plane
  bool contiguous = false;          ///< it has no IOMMU; false: it has one, or that is not known
};

/** What a consumer said about the buffers of one heap. */
struct ConsumerAnswer {
  std::string consumer; ///< ConsumerFacts::name
  FormatModifier format;
  Refusal refusal = Refusal::None; ///< None: it takes them
  std::string words;               ///< the refusal as it came, with errno
};

/** A consumer that can be asked: would it take this very buffer? */
class BufferConsumer {
public:
  virtual ~BufferConsumer() = default;
  [[nodiscard]] virtual const ConsumerFacts& facts() const = 0;
  /**
   * Imports the buffer in the way that its use would, and lets go of it. Refused, with a reason of the consumer's own; any
   * other error (a device is gone, memory is short, another program owns the display) is no answer.
   */
  [[nodiscard]] virtual Result<> wouldTake(const Dmabuf& buffer) = 0;
};

} // namespace vitrine
