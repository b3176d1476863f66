// Enrich looks up the family of a word's document, and counts the words of each document.
//
// In: a word, its document as the key. Out: the word's place in its document, from 1, with
// `family:word` as the key. Config `families`: the family of each document. A document that has
// none there is of the family "other".
package main

import tidegate "github.com/tidegate/tidegate/guest-sdk/go"

type config struct {
	Families map[string]string `json:"families"`
}

type enrich struct {
	families map[string]string
	key      []byte
}

func openEnrich(config config, _ *tidegate.Context) (*enrich, error) {
	return &enrich{families: config.Families}, nil
}

// OnRecord places one word. words is how many its document had before.
func (e *enrich) OnRecord(record *tidegate.Record, words *uint64, out *tidegate.Output) error {
	*words++
	family, ok := e.families[string(record.Key())]
	if !ok {
		family = "other"
	}
	e.key = append(e.key[:0], family...)
	e.key = append(e.key, ':')
	e.key = append(e.key, record.Value()...)
	out.EmitUint(e.key, *words)
	return nil
}

func init() {
	tidegate.Register(tidegate.Open(openEnrich))
}

func main() {}
