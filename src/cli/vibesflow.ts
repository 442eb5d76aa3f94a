#!/usr/bin/env node
// First: ws takes it over when it is loaded.
import '../base/websocket-mask';
import { run } from './program';

void run(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
