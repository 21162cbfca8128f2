// Reads what the exchange signs with Go's own verifiers of signed notes and transparency logs, and nothing of ours:
//
//	interop evidence FILE     a file of evidence: its checkpoint, and the way from its record to the checkpoint's root
//	interop notes FILE        statements of the vectors: a line each, as `note.Open` has it; by the key $VERIFIER, or the file's
//	interop trees FILE        trees.json of the vectors: roots, inclusion and consistency, as `tlog` has them
//
// Prints what holds; what does not is one line on stderr and exit code 1.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

var commands = map[string]func(data []byte) error{
	"evidence": verifyEvidence,
	"notes":    openNotes,
	"trees":    checkTrees,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 2 || commands[arguments[0]] == nil {
		return fmt.Errorf("usage: interop evidence|notes|trees FILE")
	}
	data, err := os.ReadFile(arguments[1])
	if err != nil {
		return err
	}
	return commands[arguments[0]](data)
}

func decode(data []byte, into interface{}) error {
	return json.Unmarshal(data, into)
}
