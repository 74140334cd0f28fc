#include "protected-path/heap/heap_knowledge.h"

#include <sys/stat.h>

#include <algorithm>

namespace vitrine {

std::optional<HeapKnowledge::NodeIdentity> HeapKnowledge::identify(const std::filesystem::path& node) {
  struct stat status{};
  if (stat(node.c_str(), &status) != 0) return std::nullopt;
  return NodeIdentity{status.st_dev, status.st_ino, status.st_rdev, static_cast<uint64_t>(status.st_ctim.tv_sec),
                      static_cast<uint64_t>(status.st_ctim.tv_nsec)};
}

HeapKnowledge::Learned* HeapKnowledge::entryOf(const Heap& heap) {
  const auto node = identify(heap.node);
  if (!node) return nullptr;
  Learned& entry = learned_[heap.node];
  if (entry.node != *node) entry = Learned{*node, {}, {}, {}};
  return &entry;
}

void HeapKnowledge::learn(const Heap& heap, Evidence evidence) {
  if (Learned* entry = entryOf(heap)) entry->evidence = evidence;
}

void HeapKnowledge::learn(const Heap& heap, ConsumerAnswer answer) {
  Learned* entry = entryOf(heap);
  if (entry == nullptr) return;
  const auto same = [&answer](const ConsumerAnswer& other) {
    return other.consumer == answer.consumer && other.format == answer.format;
  };
  const auto known = std::ranges::find_if(entry->answers, same);
  if (known == entry->answers.end()) {
    entry->answers.push_back(std::move(answer));
  } else {
    *known = std::move(answer);
  }
}

void HeapKnowledge::learnRoom(const Heap& heap, uint64_t sizeBytes, bool had) {
  Learned* entry = entryOf(heap);
  if (entry == nullptr) return;
  if (!had) {
    entry->fullAtBytes = std::min(entry->fullAtBytes.value_or(sizeBytes), sizeBytes);
  } else if (entry->fullAtBytes && *entry->fullAtBytes <= sizeBytes) {
    entry->fullAtBytes.reset();
  }
}

void HeapKnowledge::recall(std::span<Heap> heaps) const {
  for (Heap& heap : heaps) {
    const auto found = learned_.find(heap.node);
    if (found == learned_.end() || identify(heap.node) != found->second.node) continue;
    heap.evidence = found->second.evidence;
    heap.answers = found->second.answers;
    heap.fullAtBytes = found->second.fullAtBytes;
  }
}

} // namespace vitrine
