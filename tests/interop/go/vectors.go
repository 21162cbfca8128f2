package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type statements struct {
	Verifier string `json:"verifier"`
	Valid    []statement
	Damaged  []statement
	Others   []statement `json:"statements"`
}

type statement struct {
	Name      string `json:"name"`
	Statement string `json:"statement"`
}

// What `note.Open` makes of each statement, a line each: "opens" or "refused", and the name.
func openNotes(data []byte) error {
	var file statements
	if err := decode(data, &file); err != nil {
		return err
	}
	if file.Verifier == "" {
		file.Verifier = os.Getenv("VERIFIER")
	}
	verifier, err := note.NewVerifier(file.Verifier)
	if err != nil {
		return err
	}
	for _, each := range append(append(file.Valid, file.Damaged...), file.Others...) {
		raw, err := hex.DecodeString(each.Statement)
		if err != nil {
			return err
		}
		verdict := "refused"
		opened, err := note.Open(raw, note.VerifierList(verifier))
		if err == nil && opened.Sigs[0].Name == verifier.Name() {
			verdict = "opens"
		}
		fmt.Printf("%s\t%s\n", verdict, each.Name)
	}
	return nil
}

type trees struct {
	Leaves []string `json:"leaves"`
	Trees  []struct {
		Size  int64    `json:"size"`
		Root  string   `json:"root"`
		Paths []string `json:"paths"`
	} `json:"trees"`
	Consistency []struct {
		Old  int64  `json:"old"`
		New  int64  `json:"new"`
		Path string `json:"path"`
	} `json:"consistency"`
	DamagedInclusion []struct {
		Name  string `json:"name"`
		Leaf  string `json:"leaf"`
		Index int64  `json:"index"`
		Size  int64  `json:"size"`
		Path  string `json:"path"`
		Root  string `json:"root"`
	} `json:"damaged_inclusion"`
}

// Our trees are RFC 6962's as Go has them: roots, paths from every leaf, consistency; and what is damaged is none.
func checkTrees(data []byte) error {
	var file trees
	if err := decode(data, &file); err != nil {
		return err
	}
	roots := map[int64]tlog.Hash{}
	stored := hashes{}
	paths := 0
	for _, each := range file.Trees {
		leaf, err := hashesOf(file.Leaves[each.Size-1])
		if err != nil {
			return err
		}
		more, err := tlog.StoredHashesForRecordHash(each.Size-1, leaf[0], stored)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
		root, err := tlog.TreeHash(each.Size, stored)
		if err != nil || hex.EncodeToString(root[:]) != each.Root {
			return fmt.Errorf("tree of %d: another root %v", each.Size, err)
		}
		roots[each.Size] = root
		for index, path := range each.Paths {
			leaf, _ := hashesOf(file.Leaves[index])
			proof, err := hashesOf(path)
			if err != nil {
				return err
			}
			if err := tlog.CheckRecord(proof, each.Size, root, int64(index), leaf[0]); err != nil {
				return fmt.Errorf("leaf %d of %d: %w", index, each.Size, err)
			}
			paths++
		}
	}
	for _, each := range file.Consistency {
		proof, err := hashesOf(each.Path)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, each.New, roots[each.New], each.Old, roots[each.Old]); err != nil {
			return fmt.Errorf("from %d to %d: %w", each.Old, each.New, err)
		}
	}
	for _, each := range file.DamagedInclusion {
		leaf, _ := hashesOf(each.Leaf)
		root, _ := hashesOf(each.Root)
		proof, err := hashesOf(each.Path)
		if err == nil && each.Index < each.Size {
			err = tlog.CheckRecord(proof, each.Size, root[0], each.Index, leaf[0])
		}
		if err == nil && each.Index < each.Size {
			return fmt.Errorf("%s: it holds", each.Name)
		}
	}
	fmt.Printf("%d roots, %d paths, %d consistency proofs\n", len(roots), paths, len(file.Consistency))
	return nil
}

type hashes []tlog.Hash

func (stored hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		found[at] = stored[index]
	}
	return found, nil
}

func hashesOf(joined string) ([]tlog.Hash, error) {
	raw, err := hex.DecodeString(joined)
	if err != nil || len(raw)%tlog.HashSize != 0 {
		return nil, fmt.Errorf("a path of %d bytes: %v", len(raw), err)
	}
	found := make([]tlog.Hash, len(raw)/tlog.HashSize)
	for at := range found {
		copy(found[at][:], raw[at*tlog.HashSize:])
	}
	return found, nil
}
