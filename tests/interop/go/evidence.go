package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type evidence struct {
	Record struct {
		Topic   string      `json:"topic"`
		Key     *string     `json:"key"`
		Headers [][2]string `json:"headers"`
		Value   *string     `json:"value"`
	} `json:"record"`
	Proof     string `json:"proof"`
	Publisher struct {
		Verifier string `json:"verifier"`
	} `json:"publisher"`
}

// The checkpoint is a note that the publisher's key signed, and the path leads from the record to its root.
func verifyEvidence(data []byte) error {
	var file evidence
	if err := decode(data, &file); err != nil {
		return err
	}
	index, path, checkpoint, err := splitProof(file.Proof)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(file.Publisher.Verifier)
	if err != nil {
		return fmt.Errorf("verifier: %w", err)
	}
	opened, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return err
	}
	covered, err := encodeRecord(file)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(path, size, root, index, tlog.RecordHash(covered)); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	fmt.Printf("%s %d of %d signed by %d key\n", lines[0], index, size, len(opened.Sigs))
	return nil
}

// C2SP tlog-proof: a header, the index, a line a hash, an empty line, the checkpoint.
func splitProof(text string) (int64, tlog.RecordProof, string, error) {
	parts := strings.SplitN(text, "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, "", fmt.Errorf("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return 0, nil, "", err
	}
	path := tlog.RecordProof{}
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, "", err
		}
		path = append(path, hash)
	}
	return index, path, parts[1], nil
}

// The bytes that a seal covers (docs/spec/seal.md); tlog.RecordHash puts 0x00 before them.
func encodeRecord(file evidence) ([]byte, error) {
	var out bytes.Buffer
	short := func(text string) {
		_ = binary.Write(&out, binary.BigEndian, uint16(len(text)))
		out.WriteString(text)
	}
	long := func(data []byte) {
		_ = binary.Write(&out, binary.BigEndian, int32(len(data)))
		out.Write(data)
	}
	null := func() { _ = binary.Write(&out, binary.BigEndian, int32(-1)) }
	record := file.Record
	short(record.Topic)
	if record.Key == nil {
		null()
	} else {
		long([]byte(*record.Key))
	}
	_ = binary.Write(&out, binary.BigEndian, uint16(len(record.Headers)))
	for _, header := range record.Headers {
		short(header[0])
		long([]byte(header[1]))
	}
	if record.Value == nil {
		null()
		return out.Bytes(), nil
	}
	value, err := base64.StdEncoding.DecodeString(*record.Value)
	long(value)
	return out.Bytes(), err
}
