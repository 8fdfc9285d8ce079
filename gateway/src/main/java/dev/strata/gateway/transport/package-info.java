/// The two servers, their sockets and limits, and the gates every call passes before an adapter
/// sees it: who it is, whether the server is leaving, whether there is room.
package dev.strata.gateway.transport;
