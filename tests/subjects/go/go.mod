module gauntlet.example/receiver

go 1.19
