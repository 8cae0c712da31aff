package main

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/pulumi/pulumi-go-provider/infer"
)

func pointer[T any](value T) *T { return &value }

func TestTextHasItsLengthAndClasses(t *testing.T) {
	inputs := TextInputs{
		Length: 12, MinUpper: pointer(2), MinNumeric: pointer(3), MinSpecial: pointer(4), OverrideSpecial: pointer("_%"),
		Lower: pointer(false),
	}
	seen, firsts := map[string]bool{}, map[byte]bool{}
	for range 300 {
		text, err := inputs.filled().text()
		if err != nil || len(text) != 12 {
			t.Fatalf("%q, %v", text, err)
		}
		count := func(of string) int {
			return len(text) - len(strings.Map(func(r rune) rune {
				if strings.ContainsRune(of, r) {
					return -1
				}
				return r
			}, text))
		}
		upper, numeric, special := count("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), count("0123456789"), count("_%")
		if upper < 2 || numeric < 3 || special < 4 || upper+numeric+special != 12 {
			t.Fatalf("%q has %d upper, %d numeric, %d special", text, upper, numeric, special)
		}
		if seen[text] {
			t.Fatalf("%q came twice", text)
		}
		seen[text], firsts[text[0]] = true, true
	}
	// Drawn class by class, the specials come after upper and numeric.
	if !firsts['_'] || !firsts['%'] {
		t.Error("the classes keep their places")
	}
}

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	filled := TextInputs{Length: 1, Number: pointer(false)}.filled()
	if !*filled.Upper || !*filled.Lower || !*filled.Special || *filled.Numeric || *filled.Number || *filled.MinUpper != 0 {
		t.Errorf("%+v", filled)
	}
	all := TextInputs{Length: 4000}.filled()
	text, _ := all.text()
	for _, character := range "!@#$%&*()-_=+[]{}<>:?aZ09" {
		if !strings.ContainsRune(text, character) {
			t.Errorf("no %c in 4000 characters", character)
		}
	}
}

func TestImpossibleInputsAreRefused(t *testing.T) {
	no := pointer(false)
	for name, inputs := range map[string]TextInputs{
		"no length":  {},
		"too short":  {Length: 3, MinUpper: pointer(2), MinLower: pointer(2)},
		"no classes": {Length: 3, Upper: no, Lower: no, Numeric: no, Special: no},
	} {
		if len(inputs.failures()) != 1 {
			t.Errorf("%s: %v", name, inputs.failures())
		}
	}
	if failures := (TextInputs{Length: 4, MinUpper: pointer(2), MinLower: pointer(2)}).failures(); len(failures) != 0 {
		t.Errorf("%v", failures)
	}
}

func TestPasswordsHashIsOfThePassword(t *testing.T) {
	for _, length := range []int{8, 100} {
		created, err := (&RandomPassword{}).Create(t.Context(), infer.CreateRequest[TextInputs]{Inputs: TextInputs{Length: length}})
		if err != nil {
			t.Fatal(err)
		}
		state := created.Output
		read := []byte(state.Result)[:min(length, bcryptLimit)]
		if err := bcrypt.CompareHashAndPassword([]byte(state.BcryptHash), read); err != nil || len(state.Result) != length {
			t.Errorf("%q: %v", state.Result, err)
		}
	}
}

func TestIdIsOneNumberInSeveralSpellings(t *testing.T) {
	inputs := IdInputs{ByteLength: 2, Prefix: pointer("p-")}
	created, err := (&RandomId{}).Create(t.Context(), infer.CreateRequest[IdInputs]{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	state := created.Output
	if len(state.Hex) != len("p-")+4 || state.B64Url != "p-"+created.ID || !strings.HasPrefix(state.Dec, "p-") ||
		!strings.HasSuffix(state.B64Std, "=") {
		t.Errorf("%+v, id %s", state, created.ID)
	}
}
