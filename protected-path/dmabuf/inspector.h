#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protected-path/dmabuf/dmabuf.h"

namespace vitrine {

/** What the kernel says about one dma-buf fd, none of it settable by userspace. */
struct DmabufIdentity {
  uint64_t inode = 0; ///< unique per dma-buf
  uint64_t sizeBytes = 0;
  std::string exporterName; ///< `exp_name` of /proc/self/fdinfo; the settable `name` is ignored
};

/** Whom the inspector asks; each may be empty. */
struct InspectorSources {
  /** The exporter's class by the heap table: protected true, ordinary false, unknown empty (heap/heap_table.h). */
  std::function<std::optional<bool>(std::string_view exporterName)> exporterIsProtected;
  /** The TEE's answer: it accepts the fd as protected, it does not, or there is no TEE to ask (tee/tee_session.h). */
  std::function<std::optional<bool>(int fd)> teeAccepts;
};

/**
 * Grades the evidence that a dma-buf is protected. It never maps a buffer of a known exporter; an unknown exporter's is
 * tried with one PROT_NONE page, which cannot be read even where it succeeds.
 */
class Inspector {
public:
  explicit Inspector(InspectorSources sources);

  /** Reads `fd`'s identity. Refused(NotADmabuf) for anything else (by fstatfs's DMA_BUF_MAGIC and fdinfo). */
  [[nodiscard]] static Result<DmabufIdentity> identify(int fd);

  /** The strongest evidence for one fd. */
  [[nodiscard]] Result<Evidence> evidenceFor(int fd) const;

  /**
   * Inspects every plane and raises the buffer's evidence to the strongest found. `claimed` adds Evidence::Claimed.
   * Logs (audit, `buffer.claim_differs`) where a claim meets no evidence.
   */
  [[nodiscard]] Result<> inspect(Dmabuf& buffer, bool claimed) const;

private:
  InspectorSources sources_;
};

} // namespace vitrine
