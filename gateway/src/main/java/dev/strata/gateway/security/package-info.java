/// Who calls and what they may do. Every route and every remote procedure has a permission in
/// [Endpoints]; what is not listed there is for administrators only. Knows no protocol: the
/// gates in `transport` ask here before anything of a request is read.
package dev.strata.gateway.security;
