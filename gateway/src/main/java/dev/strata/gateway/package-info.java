/// The serving process. Read `InferencePipeline` first: it is the way of every request.
package dev.strata.gateway;
