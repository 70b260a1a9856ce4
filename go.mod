module github.com/hikeshi-ops/hikeshi

go 1.26
