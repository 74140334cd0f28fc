/*
 * Linked into everything that is built with AddressSanitizer: a library, once loaded, stays. A leak report then names the library
 * that a block came from (tests/lsan-suppressions.txt goes by that name), also for drivers that the Vulkan loader unloads again.
 */
int dlclose(void *handle);

int dlclose(void *handle)
{
	(void)handle;
	return 0;
}
