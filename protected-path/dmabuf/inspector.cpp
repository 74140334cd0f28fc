#include "protected-path/dmabuf/inspector.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <format>

#include "protected-path/base/log.h"
#include "protected-path/dmabuf/fdinfo.h"

namespace vitrine {
namespace {

/** The text of /proc/self/fdinfo/`fd`. What we look for stands in its first hundreds of bytes, so one page is plenty.
 */
Result<std::string> readFdinfo(int fd) {
  const std::string path = std::format("/proc/self/fdinfo/{}", fd);
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return systemError("open", path, 0, "is /proc mounted?");
  std::array<char, 4096> text; // NOLINT: filled by read
  size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = read(file.get(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return systemError("read", path);
    if (got == 0) break;
    length += static_cast<size_t>(got);
  }
  return std::string(text.data(), length);
}

/** Tries one page without any access: were it granted, it could not be read. Any failure counts as a refusal (fail
 * closed). */
bool refusesMapping(int fd) {
  constexpr size_t onePage = 4096;
  void* address = mmap(nullptr, onePage, PROT_NONE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return true;
  munmap(address, onePage);
  return false;
}

Evidence grade(const InspectorSources& sources, int fd, const DmabufIdentity& identity) {
  // The TEE is asked even of exporters that the table calls ordinary: no override file can make it lie.
  if (sources.teeAccepts && sources.teeAccepts(fd).value_or(false)) return Evidence::Authenticated;
  const auto byName = sources.exporterIsProtected ? sources.exporterIsProtected(identity.exporterName) : std::nullopt;
  if (byName) return *byName ? Evidence::KernelNamed : Evidence::None;
  return refusesMapping(fd) ? Evidence::Unmappable : Evidence::None;
}

} // namespace

Inspector::Inspector(InspectorSources sources) : sources_(std::move(sources)) {}

Result<DmabufIdentity> Inspector::identify(int fd) {
  struct statfs filesystem{};
  if (fstatfs(fd, &filesystem) != 0 || filesystem.f_type != DMA_BUF_MAGIC) {
    return refused(Refusal::NotADmabuf, "identify", std::format("fd {}", fd));
  }
  struct stat status{};
  if (fstat(fd, &status) != 0) return systemError("fstat", std::format("dma-buf fd {}", fd));
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size < 0) return systemError("lseek", std::format("dma-buf fd {}", fd));
  const auto text = readFdinfo(fd);
  if (!text) return std::unexpected(text.error());
  DmabufIdentity identity{status.st_ino, static_cast<uint64_t>(size), {}};
  // Without a name it stays empty: an exporter that nobody knows.
  if (const auto name = exporterNameIn(*text)) identity.exporterName = *name;
  return identity;
}

Result<Evidence> Inspector::evidenceFor(int fd) const {
  const auto identity = identify(fd);
  if (!identity) return std::unexpected(identity.error());
  return grade(sources_, fd, *identity);
}

Result<> Inspector::inspect(Dmabuf& buffer, bool claimed) const {
  if (claimed) buffer.raiseEvidence(Evidence::Claimed); // first: whatever fails below, the claim has tightened
  Evidence strongest = Evidence::None;
  DmabufIdentity last;
  for (unsigned i = 0; i < buffer.planeCount(); ++i) {
    const int fd = buffer.plane(i).fd.get();
    auto identity = identify(fd);
    if (!identity) return std::unexpected(identity.error());
    const bool sameAsBefore = i > 0 && identity->inode == last.inode;
    last = std::move(*identity);
    if (!sameAsBefore) strongest = std::max(strongest, grade(sources_, fd, last));
  }
  buffer.raiseEvidence(strongest);
  if (claimed && strongest == Evidence::None) {
    audit().warn("buffer.claim_differs inode={} exporter={} claimed=protected evidence=None", last.inode,
                 last.exporterName);
  }
  return {};
}

} // namespace vitrine
