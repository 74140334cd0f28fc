#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "protected-path/base/result.h"
#include "protected-path/dmabuf/inspector.h"

namespace vitrine {

/** What a dma-buf heap's memory is, by its name. A name nominates: each buffer has to prove it (dmabuf/inspector.h). */
enum class HeapClass {
  Protected,        ///< displayable content that the CPU may not read
  ProtectedWorking, ///< protected, but for firmware or bitstreams: nothing to show
  Ordinary,         ///< plain memory
  Unknown,          ///< no rule matches: never taken for protected content
};

[[nodiscard]] const char* heapClassName(HeapClass heapClass);

/** How the memory of a heap's buffers lies, as far as its name says. */
enum class HeapMemory : uint8_t {
  Unknown,
  Scattered,  ///< single pages: for devices behind an IOMMU
  Contiguous, ///< one piece: for every device; scarce
  /**
   * One piece of a pool that grows with its first buffers, for which the kernel stops its users (Tegra VPR freezes all
   * processes). Such a heap is taken for content that is to be shown, never to find something out.
   */
  Growing,
};

[[nodiscard]] const char* heapMemoryName(HeapMemory memory); ///< `contiguous`

/** One line of the table: an exact name or a pattern with `*`. */
struct HeapRule {
  std::string pattern;
  HeapClass heapClass;
  std::string source; ///< a link to the line that the name comes from; for an override `FILE:LINE:COLUMN`
  HeapMemory memory = HeapMemory::Unknown;
};

/**
 * Which heap names mean what, on every platform known to us, an override file before the built-in rows. No built-in row
 * takes a name that says the contrary (`non_secure_display_region` of Qualcomm's device trees) for protected. The same table classifies `exp_name`s, which is a heap's name or `tee` (mainline's protected heap is built into
 * tee.o).
 */
class HeapTable {
public:
  /** The built-in table. */
  HeapTable();

  /**
   * Puts an override file's rules first. TOML: `[heaps]` with `"name or pattern" = "protected" | "protected-working" |
   * "ordinary"`. Errors name file, line and column; an unknown class or key is an error. An override may say anything
   * about a name, since a buffer's behaviour decides in the end.
   */
  [[nodiscard]] Result<> addOverrides(const std::filesystem::path& file);

  /** The class of a heap by its name under /dev/dma_heap. */
  [[nodiscard]] HeapClass classify(std::string_view heapName) const;

  /** How a heap's memory lies, by the first built-in row that matches its name. */
  [[nodiscard]] HeapMemory memoryOf(std::string_view heapName) const;

  /** For Inspector: what the name of an exporter nominates its buffers for. */
  [[nodiscard]] Nomination nominate(std::string_view exporterName) const;

  /** All rules in their order. */
  [[nodiscard]] const std::vector<HeapRule>& rules() const { return rules_; }

private:
  [[nodiscard]] HeapClass classifyFrom(size_t firstRule, std::string_view name) const;
  std::vector<HeapRule> rules_;
  size_t overrides_ = 0; ///< how many of the rules come from override files
};

/** Grades by this table, which has to outlive it. */
[[nodiscard]] Inspector inspectorFor(const HeapTable& table);

} // namespace vitrine
