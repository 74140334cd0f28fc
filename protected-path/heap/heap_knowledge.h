#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "protected-path/heap/heap_catalogue.h"

namespace vitrine {

/**
 * What heaps showed when buffers were taken from them: evidence, room, and which consumers take their buffers. Kept per device
 * node of the heap, and forgotten when that node changes, since another driver may stand behind the same name. A consumer's name
 * has its driver and node, so that another driver there is another consumer. It lives as long as the process: the kernel cannot
 * change under it. Something that turns out different replaces what was known.
 */
class HeapKnowledge {
public:
  /** `evidence` of a buffer that `heap` just gave. */
  void learn(const Heap& heap, Evidence evidence);
  /** A consumer's answer about a buffer that `heap` just gave. */
  void learn(const Heap& heap, ConsumerAnswer answer);
  /** Whether `heap` just had room for a buffer of this size. */
  void learnRoom(const Heap& heap, uint64_t sizeBytes, bool had);
  /** Sets evidence, answers and fullAtBytes of the heaps that are known. */
  void recall(std::span<Heap> heaps) const;

private:
  /** What differs between two nodes of one name: st_dev, st_ino, st_rdev, st_ctim. */
  using NodeIdentity = std::array<uint64_t, 5>;
  struct Learned {
    NodeIdentity node{};
    std::optional<Evidence> evidence;
    std::vector<ConsumerAnswer> answers;
    std::optional<uint64_t> fullAtBytes;
  };
  static std::optional<NodeIdentity> identify(const std::filesystem::path& node);
  /** The entry to write to: empty where another node is there by now; null where there is none. */
  Learned* entryOf(const Heap& heap);
  std::map<std::filesystem::path, Learned> learned_;
};

} // namespace vitrine
