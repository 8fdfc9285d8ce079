/// Who computes when: a bounded queue and the threads that take from it. Event loops and virtual
/// threads wait here, and never compute.
package dev.strata.gateway.scheduling;
