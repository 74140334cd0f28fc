#include "protected-path/heap/heap_catalogue.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "protected-path/base/log.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {
namespace {

Refusal refusalForOpen(int number) {
  switch (number) {
  case 0:
    return Refusal::None;
  case EACCES:
  case EPERM:
    return Refusal::HeapNoPermission;
  case ENOENT: // gone between listing and opening
  case ENODEV:
  case ENXIO:
    return Refusal::HeapAbsent;
  default:
    return Refusal::HeapFailed;
  }
}

Heap inspectHeap(const HeapTable& table, const std::filesystem::path& node) {
  Heap heap{.name = node.filename().string(), .node = node, .evidence = {}};
  heap.heapClass = table.classify(heap.name);
  heap.memory = table.memoryOf(heap.name);
  // Opening has no effect on a heap; it is the only answer that counts capabilities and security modules in.
  const UniqueFd fd(open(node.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) heap.openErrno = errno;
  heap.refusal = refusalForOpen(heap.openErrno);
  return heap;
}

} // namespace

std::vector<Heap> listHeaps(const HeapTable& table, const std::filesystem::path& directory) {
  std::vector<Heap> heaps;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error && error.value() != ENOENT) log("heap").warn("opendir {}: {}", directory.string(), error.message());
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    heaps.push_back(inspectHeap(table, entries->path()));
  }
  std::ranges::sort(heaps, {}, &Heap::name); // a directory has no order; ours is the same on every run
  return heaps;
}

} // namespace vitrine
