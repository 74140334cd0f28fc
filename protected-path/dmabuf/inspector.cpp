#include "protected-path/dmabuf/inspector.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
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

/** Tries to map one page without any access, which cannot be read even where that succeeds. */
Result<bool> refusesMapping(int fd) {
  constexpr size_t onePage = 4096;
  void* address = mmap(nullptr, onePage, PROT_NONE, MAP_SHARED, fd, 0);
  if (address != MAP_FAILED) {
    munmap(address, onePage);
    return false;
  }
  // This process has no room for a mapping: that says nothing about the buffer.
  if (errno == ENOMEM || errno == EAGAIN) return systemError("mmap", std::format("dma-buf fd {} (PROT_NONE)", fd));
  return true;
}

/** The exporter's name of mainline's TEE heap, which its code sets: a device tree or a client cannot. */
constexpr std::string_view mainlineExporter = "tee";

} // namespace

Inspector::Inspector(Nominate nominate) : nominate_(std::move(nominate)) {}

Result<Evidence> Inspector::grade(int fd, const std::string& exporterName) const {
  const Nomination name = nominate_ ? nominate_(exporterName) : Nomination{};
  if (name.as == Nomination::As::Ordinary && !name.overridden) return Evidence::None;
  const bool saysProtected = name.as == Nomination::As::Protected;
  const auto refuses = refusesMapping(fd);
  if (!refuses) return std::unexpected(refuses.error());
  if (name.overridden && saysProtected != *refuses && contradicted_.insert(exporterName).second) {
    audit().warn("buffer.override_differs exporter={} override={} buffers={} treated_as=protected", exporterName,
                 saysProtected ? "protected" : "ordinary", *refuses ? "unmappable" : "mappable");
  }
  if (*refuses) return exporterName == mainlineExporter ? Evidence::KernelProtected : Evidence::Unmappable;
  return saysProtected ? Evidence::Suspect : Evidence::None;
}

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
  return grade(fd, identity->exporterName);
}

Result<> Inspector::inspect(Dmabuf& buffer, bool claimed) const {
  if (claimed)
    buffer.raiseEvidence(Evidence::Claimed); // first: if something fails below, the claim has tightened already
  Evidence strongest = Evidence::None;
  DmabufIdentity last;
  for (unsigned i = 0; i < buffer.planeCount(); ++i) {
    const int fd = buffer.plane(i).fd.get();
    auto identity = identify(fd);
    if (!identity) return std::unexpected(identity.error());
    const bool sameAsBefore = i > 0 && identity->inode == last.inode;
    last = std::move(*identity);
    if (sameAsBefore) continue;
    const auto evidence = grade(fd, last.exporterName);
    if (!evidence) return std::unexpected(evidence.error());
    strongest = std::max(strongest, *evidence);
  }
  buffer.raiseEvidence(strongest);
  if (claimed && strongest == Evidence::None) {
    audit().warn("buffer.claim_differs inode={} exporter={} claimed=protected evidence=None", last.inode,
                 last.exporterName);
  }
  return {};
}

} // namespace vitrine
