#pragma once

#include <functional>
#include <set>
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

/** What is known about an exporter by its name (heap/heap_table.h). It nominates; the buffer's behaviour decides. */
struct Nomination {
  enum class As : uint8_t {
    Unknown,
    Protected, ///< a heap of protected memory
    /** Plain memory, by the built-in table. A refused mapping proves nothing here: memory of a discrete GPU, say. */
    Ordinary,
  };
  As as = As::Unknown;
  /** An override file says so, against the built-in table or where that says nothing: taken as far as the buffer's
   *  behaviour agrees, and logged where it does not. */
  bool overridden = false;
};

/** The exporter's nomination; empty: every exporter is unknown. */
using Nominate = std::function<Nomination(std::string_view exporterName)>;

/**
 * Grades the evidence that a dma-buf is protected.
 *
 * | exporter's name            | refuses a mapping                    | can be mapped |
 * |----------------------------|--------------------------------------|---------------|
 * | nominated as protected     | KernelProtected (`tee`) / Unmappable | Suspect       |
 * | unknown                    | Unmappable                           | None          |
 * | ordinary, by an override   | KernelProtected (`tee`) / Unmappable | None          |
 * | ordinary, by the table     | None (not tried)                     | None          |
 *
 * The mapping that is tried is one PROT_NONE page: it cannot be read even where it succeeds. Where this process has no
 * room for a mapping, that is an error (System, ENOMEM or EAGAIN) and no evidence. What a TEE says about a
 * buffer is not asked: kernels of vendors register any contiguous dma-buf (TEE_IOC_SHM_REGISTER_FD), and mainline
 * compares a pointer.
 */
class Inspector {
public:
  explicit Inspector(Nominate nominate = {});

  /** Reads `fd`'s identity. Refused(NotADmabuf) for anything else (by fstatfs's DMA_BUF_MAGIC and fdinfo). */
  [[nodiscard]] static Result<DmabufIdentity> identify(int fd);

  /** The strongest evidence for one fd. */
  [[nodiscard]] Result<Evidence> evidenceFor(int fd) const;

  /**
   * Inspects every plane and raises the buffer's evidence to the strongest found. `claimed` adds Evidence::Claimed.
   * Logs (audit, `buffer.claim_differs`) where a claim meets no evidence, and once per exporter
   * (`buffer.override_differs`) where behaviour contradicts an override.
   */
  [[nodiscard]] Result<> inspect(Dmabuf& buffer, bool claimed) const;

private:
  [[nodiscard]] Result<Evidence> grade(int fd, const std::string& exporterName) const;
  Nominate nominate_;
  mutable std::set<std::string> contradicted_; ///< exporters whose overrides were logged as contradicted
};

} // namespace vitrine
