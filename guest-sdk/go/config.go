// The operator's `config`, read into a struct of settings; each mistake is named.

package tidegate

import (
	"errors"
	"reflect"
	"strings"
)

// parseConfig reads the `config` table, which is JSON. It rejects settings that C does not have, so
// that a misspelt setting is noticed when the job starts. (encoding/json would make every component
// half as large again.)
func parseConfig[C any](text string) (config C, err error) {
	if trimmed := strings.TrimSpace(text); trimmed == "" || trimmed == "null" {
		text = "{}"
	}
	reader := jsonReader{text: text}
	err = reader.document(reflect.ValueOf(&config).Elem())
	if err != nil {
		err = errors.New("the operator's config: " + err.Error())
	}
	return config, err
}

// settingError is the problem of a setting, and the setting's path.
type settingError struct{ path, problem string }

func (e *settingError) Error() string {
	if e.path == "" {
		return e.problem
	}
	return "`" + e.path + "`: " + e.problem
}

// within adds the name of the setting around the one with the error.
func within(name string, err error) error {
	var inner *settingError
	if err == nil || !errors.As(err, &inner) {
		return err
	}
	path := name
	if inner.path != "" {
		path += "." + inner.path
	}
	return &settingError{path: path, problem: inner.problem}
}

func wrong(problem string) error { return &settingError{problem: problem} }

// field is a setting that a struct has.
type field struct {
	name string
	// isExact is true if the name is the tag's, and not the field's in any case.
	isExact bool
	index   int
}

// settings returns the settings of a struct.
func settings(kind reflect.Type) []field {
	var all []field
	for index := range kind.NumField() {
		of := kind.Field(index)
		name, _, _ := strings.Cut(of.Tag.Get("json"), ",")
		if !of.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			all = append(all, field{name: of.Name, index: index})
		} else {
			all = append(all, field{name: name, isExact: true, index: index})
		}
	}
	return all
}

func (f *field) matches(name string) bool {
	return f.name == name || !f.isExact && strings.EqualFold(f.name, name)
}

// unknownField describes an unknown setting as serde does.
func unknownField(name string, known []field) error {
	said := "unknown field `" + name + "`"
	switch len(known) {
	case 0:
		return wrong(said + ", there are no fields")
	case 1:
		return wrong(said + ", expected `" + known[0].name + "`")
	}
	names := make([]string, len(known))
	for index, field := range known {
		names[index] = "`" + field.name + "`"
	}
	return wrong(said + ", expected one of " + strings.Join(names, ", "))
}
