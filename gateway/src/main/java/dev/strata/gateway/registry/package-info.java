/// Which models there are: the directories on disk, the versions in memory, and the leases that
/// keep a version mapped while somebody uses it.
package dev.strata.gateway.registry;
