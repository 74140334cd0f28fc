#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protected-path/base/result.h"

namespace vitrine {

/** What a dma-buf heap's memory is. */
enum class HeapClass {
  Protected,        ///< displayable content that the CPU may not read
  ProtectedWorking, ///< protected, but for firmware or bitstreams: nothing to show
  Ordinary,         ///< plain memory
  Unknown,          ///< no rule matches: never taken for protected content
};

[[nodiscard]] const char* heapClassName(HeapClass heapClass);

/** One line of the table: an exact name or a pattern with `*`. */
struct HeapRule {
  std::string pattern;
  HeapClass heapClass;
  std::string source; ///< where the fact comes from (kernel file, vendor tree), or the override file's name
};

/**
 * Which heap names mean what, on every platform known to us: exact names first, then patterns, an override file before
 * both. The same table classifies `exp_name`s, which is a heap's name or `tee` (mainline's protected heap is built into
 * tee.o).
 */
class HeapTable {
public:
  /** The built-in table. */
  HeapTable();

  /**
   * Puts an override file's rules first. TOML: `[heaps]` with `"name or pattern" = "protected" | "protected-working" |
   * "ordinary"`. Errors name file, line and column; an unknown class or key is an error. So is a rule that turns a name
   * which the built-in table knows exactly from protected to ordinary or back: configuration may add knowledge, not
   * lose it.
   */
  [[nodiscard]] Result<> addOverrides(const std::filesystem::path& file);

  /** The class of a heap by its name under /dev/dma_heap. */
  [[nodiscard]] HeapClass classify(std::string_view heapName) const;

  /** For Inspector: protected true, ordinary false, unknown empty. DRM drivers' and udmabuf's exporters are ordinary.
   */
  [[nodiscard]] std::optional<bool> exporterIsProtected(std::string_view exporterName) const;

  [[nodiscard]] const std::vector<HeapRule>& rules() const { return rules_; }

private:
  std::vector<HeapRule> rules_;
};

} // namespace vitrine
