#pragma once

namespace vitrine {

/** Raises this process's soft limit of open files to its hard one: 1024 do not last long with dma-bufs of several planes. */
void raiseDescriptorLimit();

/**
 * While it lives, the limit is what it was before raiseDescriptorLimit(), for a child process to inherit: programs that use select()
 * break with a higher one.
 */
class InheritedDescriptorLimit {
public:
  InheritedDescriptorLimit();
  InheritedDescriptorLimit(const InheritedDescriptorLimit&) = delete;
  InheritedDescriptorLimit& operator=(const InheritedDescriptorLimit&) = delete;
  ~InheritedDescriptorLimit() { raiseDescriptorLimit(); }
};

} // namespace vitrine
