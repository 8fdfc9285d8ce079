/// The page at `/` for those who watch a server: its files, and the snapshot that it draws. What it
/// asks models it asks by the Open Inference Protocol, like everybody.
package dev.strata.gateway.console;
